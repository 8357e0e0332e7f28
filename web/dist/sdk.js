export*from"./assets/sdk-VR5HWDAM.js";
