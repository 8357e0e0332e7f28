export*from"./assets/sdk-3GR5WEFR.js";
