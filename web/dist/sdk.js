export*from"./assets/sdk-BIXV7EOR.js";
