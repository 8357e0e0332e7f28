export*from"./assets/sdk-EBFKQKDJ.js";
