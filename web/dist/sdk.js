export*from"./assets/sdk-W73J4WXQ.js";
