/** Under which key of `localStorage` the token of a guest is kept. The loader looks whether there is one. */
export const guestKey = (server: string): string => `carillon.guest ${server}`;
