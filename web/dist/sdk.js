export*from"./assets/sdk-BCNQLGTL.js";
