export*from"./assets/sdk-LWQYOI4A.js";
