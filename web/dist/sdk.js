export*from"./assets/sdk-V2BGZP6R.js";
