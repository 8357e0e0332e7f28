export*from"./assets/sdk-EP4OC7AM.js";
