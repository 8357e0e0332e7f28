export*from"./assets/sdk-NMOZGL5Y.js";
