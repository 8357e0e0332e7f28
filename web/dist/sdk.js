export*from"./assets/sdk-F3NLELBM.js";
