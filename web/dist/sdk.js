export*from"./assets/sdk-F7EH5VFL.js";
