export*from"./assets/sdk-UU4E4CO6.js";
