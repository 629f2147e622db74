// The query in a new editor. Its comment is narrow enough for a screen of 360 pixels.

export const STARTER_QUERY = `# secureData requires
# a signed-in user.
# Run this query,
# then sign in.
query SecureData {
  secureData {
    message
    user {
      email
      createdAt
    }
  }
}
`;
