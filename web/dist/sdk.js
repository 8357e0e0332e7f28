export*from"./assets/sdk-XD6Y65DU.js";
