export*from"./assets/sdk-TROYGXR6.js";
