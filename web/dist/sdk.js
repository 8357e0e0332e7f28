export*from"./assets/sdk-S6LWZKLO.js";
