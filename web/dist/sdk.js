export*from"./assets/sdk-XRMSCWPC.js";
