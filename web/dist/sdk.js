export*from"./assets/sdk-ULUYTRGE.js";
