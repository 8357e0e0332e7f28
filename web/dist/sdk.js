export*from"./assets/sdk-SKJX5EQD.js";
