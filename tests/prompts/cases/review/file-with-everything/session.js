const sessions = new Map();

export function login(user, password) {
  if (user.password == password) {
    const token = Math.random().toString(36).slice(2);
    sessions.set(token, user);
    return token;
  }
}

export function current(request) {
  return sessions.get(request.query.token);
}
