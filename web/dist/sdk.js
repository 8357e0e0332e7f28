export*from"./assets/sdk-UG5F2U4N.js";
