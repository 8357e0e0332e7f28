export*from"./assets/sdk-V7Q3L56B.js";
