export*from"./assets/sdk-YQ2Z2Z55.js";
