export*from"./assets/sdk-G3L7B7AE.js";
