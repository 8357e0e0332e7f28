export*from"./assets/sdk-WZK3IXTX.js";
