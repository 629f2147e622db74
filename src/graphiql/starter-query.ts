// What the editor begins with.

export const STARTER_QUERY = `# Press the run button. You
# are offered to sign in, as
# secureData is for callers
# who are. Until then it is
# underlined: one sees what
# one may use, nothing else.
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
