export*from"./assets/sdk-FQXEIXPZ.js";
