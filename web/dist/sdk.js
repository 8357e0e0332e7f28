export*from"./assets/sdk-Y3G2YQVJ.js";
