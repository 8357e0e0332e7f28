export*from"./assets/sdk-WO2XIQDN.js";
