export*from"./assets/sdk-KF74YMLJ.js";
