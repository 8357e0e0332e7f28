export*from"./assets/sdk-PCUDYY3X.js";
