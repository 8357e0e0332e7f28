export*from"./assets/sdk-PUJNK2FF.js";
