// What the editor begins with.

export const STARTER_QUERY = `# Press the run button. You
# are asked to sign in then,
# as secureData is only for
# signed-in callers.
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
