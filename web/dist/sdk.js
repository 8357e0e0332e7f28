export*from"./assets/sdk-BB4EZWB7.js";
