export*from"./assets/sdk-TIZYK4CD.js";
