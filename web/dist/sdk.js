export*from"./assets/sdk-B4ICW42Z.js";
