export*from"./assets/sdk-LJ6LE5AI.js";
