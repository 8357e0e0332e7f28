export*from"./assets/sdk-QDSUT65Q.js";
