export*from"./assets/sdk-OWAUHIL3.js";
