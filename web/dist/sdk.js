export*from"./assets/sdk-HYMF6JYF.js";
