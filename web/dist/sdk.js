export*from"./assets/sdk-EJ4DWMNM.js";
