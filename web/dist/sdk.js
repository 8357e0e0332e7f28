export*from"./assets/sdk-RFRGKSHP.js";
