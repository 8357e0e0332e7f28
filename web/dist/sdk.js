export*from"./assets/sdk-NXBTWBO7.js";
