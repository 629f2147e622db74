// The query in a new editor. Its comment is narrow enough for a screen of 360 pixels.

/** For the server that `npm start` runs. */
export const SECURE_DATA_QUERY = `# secureData requires
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

/** For an application's schema, which has no `secureData`. */
export const VIEWER_QUERY = `# viewer is null
# until you sign in.
query Viewer {
  viewer {
    email
    roles
  }
}
`;
