export*from"./assets/sdk-A53XWNKS.js";
