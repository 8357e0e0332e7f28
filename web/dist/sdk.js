export*from"./assets/sdk-KFWRTKMN.js";
