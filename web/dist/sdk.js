export*from"./assets/sdk-NKCA3PEL.js";
