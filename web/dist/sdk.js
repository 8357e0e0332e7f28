export*from"./assets/sdk-JERESR3Y.js";
