export*from"./assets/sdk-W7CRPKGT.js";
