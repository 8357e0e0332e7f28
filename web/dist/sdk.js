export*from"./assets/sdk-UND255X2.js";
