export*from"./assets/sdk-MUZS7K2K.js";
