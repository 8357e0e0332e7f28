export*from"./assets/sdk-VI2CMW5R.js";
