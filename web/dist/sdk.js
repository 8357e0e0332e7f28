export*from"./assets/sdk-LT3CSF5H.js";
