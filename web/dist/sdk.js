export*from"./assets/sdk-Y52GQVQZ.js";
